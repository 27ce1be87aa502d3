// Wakes for a notice while no page of ours is open, shows it, and leads to it. Keeps nothing and caches nothing.
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  const { title, body = "", url = "/inbox", tag } = event.data?.json() ?? {};
  if (title) event.waitUntil(self.registration.showNotification(title, { body, tag, renotify: Boolean(tag), data: { url }, icon: "/static/ui/favicon.svg" }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(lead(new URL(event.notification.data?.url ?? "/inbox", self.location.origin).href));
});

/** To a page that is open already, before a new one. */
async function lead(address) {
  const open = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const there = open.find(({ url }) => url.startsWith(address)) ?? open.find(({ url }) => new URL(url).pathname.startsWith("/inbox"));
  if (!there) return self.clients.openWindow(address);
  await there.focus();
  return there.url.startsWith(address) ? there : there.navigate(address);
}
