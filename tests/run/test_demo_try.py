import time
import pytest


def test_try(settings):
    settings.DEMO = True
    from django.core.management import call_command
    import cProfile, pstats
    from config.run.demo.load import load

    t = time.time()
    print(load())
    print("load", time.time() - t)
    t = time.time()
    call_command("load_demo")
    print("again", time.time() - t)
    from config.run.demo.purge import purge

    t = time.time()
    print(purge())
    print("purge", time.time() - t)
    p = cProfile.Profile()
    p.enable()
    load()
    p.disable()
    pstats.Stats(p).sort_stats("cumtime").print_stats(25)
    purge()
