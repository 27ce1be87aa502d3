import cProfile, pstats, time, io, os
from uuid import uuid4
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.api import Api
from tests.inbox.test_chats import admit, make_widget
from crm.identity import throttle

def test_prof(cast, monkeypatch, settings):
    settings.SUPABASE_URL = ""
    from inbox.chats import pace
    monkeypatch.setattr(pace, "MESSAGES", (10**6, 300)); monkeypatch.setattr(pace, "MESSAGES_AT_ONCE", (10**6, 10))
    widget = make_widget(cast)
    guest = admit(widget, name="Lucia")
    chat = guest.start(widget, "hello").json()["id"]
    api = Api(cast.ben).of(cast.workspace.slug)
    def vis(): 
        r = guest.write(chat, f"hello there {uuid4()}"); assert r.status_code == 201
    def agent():
        r = api.post(f"conversations/{chat}/messages/", {"client_id": str(uuid4()), "body": f"good day {uuid4()}"}); assert r.status_code == 201, r.content
    for name, do in (("visitor", vis), ("agent", agent)):
        for _ in range(5): vis(); agent()
        with CaptureQueriesContext(connection) as found:
            do()
        print("=====", name, len(found))
        for q in found: print("  ", q["time"], " ".join(q["sql"].split())[:230])
        n = 40
        c = time.thread_time(); x = 0
        for i in range(2_000_000): x += i
        print("calibration ms", (time.thread_time()-c)*1000)
        t, c = time.perf_counter(), time.thread_time()
        for _ in range(n): do()
        print("=====", name, "wall ms", (time.perf_counter()-t)/n*1000, "cpu ms", (time.thread_time()-c)/n*1000)
        if not os.environ.get('PROF'): continue
        p = cProfile.Profile()
        p.enable()
        for _ in range(n): do()
        p.disable()
        s = io.StringIO()
        pstats.Stats(p, stream=s).sort_stats("cumulative").print_stats(90)
        __import__("pathlib").Path(f"/tmp/prof_{name}.txt").write_text(s.getvalue())
