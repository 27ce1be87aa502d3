import time
def test_try(settings):
    settings.DEMO=True
    from django.core.management import call_command
    import cProfile, pstats
    from config.run.demo.load import load
    from config.run.demo.purge import purge
    for _ in range(2):
        t=time.time(); c=time.process_time(); print(load()); print("load",time.time()-t, time.process_time()-c)
        t=time.time(); call_command("load_demo"); print("again",time.time()-t)
        t=time.time(); print(purge()); print("purge",time.time()-t)
    p=cProfile.Profile(); p.enable(); load(); p.disable()
    pstats.Stats(p).sort_stats("cumtime").print_stats(22)
    purge()
