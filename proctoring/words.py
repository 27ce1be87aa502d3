"""What kinds of entries and states are called on the pages."""

from django.utils.translation import gettext_lazy as lazy

VIOLATIONS = {
    "connection_lost": lazy("Connection lost"),
    "connection_restored": lazy("Connection back"),
    "consent_given": lazy("Agreed again"),
    "consent_withdrawn": lazy("Withdrew consent"),
    "network_change": lazy("Another network"),
    "weak_network": lazy("Weak network"),
    "low_battery": lazy("Low battery"),
    "camera_restored": lazy("Camera back"),
    "page_reload": lazy("Reloaded the page"),
    "navigation_attempt": lazy("Tried to leave the page"),
    "window_resize": lazy("Resized the window"),
    "mouse_leave": lazy("Pointer left the page"),
    "focus_loss": lazy("Used another window"),
    "context_menu": lazy("Opened the context menu"),
    "prohibited_shortcut": lazy("Pressed a shortcut that is not allowed"),
    "voice_detected": lazy("Voices"),
    "noise": lazy("Noise"),
    "tab_switch": lazy("Left the tab"),
    "fullscreen_exit": lazy("Left full screen"),
    "copy": lazy("Copied"),
    "cut": lazy("Cut"),
    "print_screen": lazy("Pressed Print Screen"),
    "screenshot_attempt": lazy("Tried to take a screenshot"),
    "no_face": lazy("No face in view"),
    "looking_away": lazy("Looking away"),
    "eyes_closed": lazy("Eyes closed"),
    "paste": lazy("Pasted"),
    "devtools_open": lazy("Opened the developer tools"),
    "multiple_faces": lazy("More than one face"),
    "face_mismatch": lazy("Another face"),
    "face_covered": lazy("Face covered"),
    "camera_off": lazy("Camera off"),
    "virtual_camera": lazy("A camera that is none"),
    "liveness_failed": lazy("Not a live picture"),
    "object_detected": lazy("An object in view"),
    "multiple_displays": lazy("More than one display"),
    "remote_session": lazy("Remote session"),
    "virtual_machine": lazy("Virtual machine"),
    "app_terminated": lazy("The exam's program was ended"),
    "monitor_stopped": lazy("The supervision was stopped"),
    "client_integrity_failed": lazy("The exam's program was changed"),
    "duplicate_session": lazy("Second device on this attempt"),
    "manual_irregularity": lazy("Noted by a tutor"),
}
# A session's state as one reads it: an active one by how its student is there.
STATES = {
    "active": lazy("Active"),
    "idle": lazy("Idle"),
    "hidden": lazy("Page hidden"),
    "throttled": lazy("Hidden, slowed"),
    "disconnected": lazy("Disconnected"),
    "paused": lazy("Paused"),
    "submitted": lazy("Submitted"),
    "terminated": lazy("Ended"),
    "expired": lazy("Expired"),
}
ICONS = {
    "active": "wifi",
    "idle": "clock",
    "hidden": "window",
    "throttled": "window",
    "disconnected": "wifi-off",
    "paused": "lock",
    "submitted": "resolve",
    "terminated": "x",
    "expired": "clock",
}


def state_of(status: str, connection: str) -> str:
    return connection if status == "active" and connection in ("idle", "hidden", "throttled") else status
