// What is heard and seen outside of the page when a notice comes. Loaded with the first of them.
let context = null;
const awake = () => { try { context ??= new AudioContext(); context.resume(); } catch { context = null; } };
addEventListener("pointerdown", awake, { once: true }); // a browser plays nothing before somebody has touched it

/** Two short tones, quiet and without a file. */
export function sound() {
  awake();
  if (!context || context.state === "closed") return;
  document.documentElement.dataset.sounded = String(Number(document.documentElement.dataset.sounded ?? 0) + 1);
  [660, 880].forEach((height, at) => {
    const begin = context.currentTime + at * 0.14;
    const tone = context.createOscillator(), volume = context.createGain();
    tone.frequency.value = height;
    volume.gain.setValueAtTime(0.0001, begin);
    volume.gain.exponentialRampToValueAtTime(0.12, begin + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, begin + 0.13);
    tone.connect(volume).connect(context.destination);
    tone.start(begin);
    tone.stop(begin + 0.14);
  });
}

export function desktop({ id, conversation, message, note }, title, place) {
  const tag = conversation ? `conversation:${conversation.id}` : `notice:${id}`;
  const notice = new Notification(title, { body: (message ?? note)?.words ?? "", tag });
  notice.onclick = () => {
    focus();
    notice.close();
    location.assign(place);
  };
}
