/* Puts registration pages into <div data-mini-webinar="slug"></div>. No cookie, no storage, no request but the frame's own. */
(() => {
  "use strict";
  // The snippet may stand on a page twice; the second copy only looks for places the first did not see.
  if (window.MiniWebinar) return window.MiniWebinar.scan();
  const script = document.currentScript || document.querySelector('script[src*="/embed.js"]');
  if (!script) return;
  const origin = new URL(script.src).origin;
  const frames = new Set();

  const scan = () => {
    for (const place of document.querySelectorAll("div[data-mini-webinar]")) {
      if (place.querySelector("iframe")) continue;
      const url = new URL(`/w/${encodeURIComponent(place.dataset.miniWebinar)}/embed`, origin);
      // Of the host page's address only the campaign is passed on, never the rest.
      new URLSearchParams(location.search).forEach((value, key) => key.startsWith("utm_") && url.searchParams.set(key, value));
      const frame = document.createElement("iframe");
      frame.src = url;
      frame.title = place.dataset.title || "Webinar registration";
      frame.loading = "lazy";
      frame.allow = "autoplay; fullscreen; picture-in-picture";
      frame.referrerPolicy = "no-referrer";
      // As high as the room the snippet reserves, so that nothing moves when the frame arrives.
      frame.style.cssText = `display:block;width:100%;border:0;height:${place.clientHeight || 560}px`;
      frames.add(frame);
      place.append(frame);
    }
  };

  addEventListener("message", (event) => {
    const height = Math.ceil(event.data && event.data.miniWebinar && event.data.height);
    if (event.origin !== origin || !(height > 0 && height < 20000)) return;
    for (const frame of frames) if (frame.contentWindow === event.source) frame.style.height = `${height}px`;
  });

  window.MiniWebinar = { scan };
  scan();
  // An async script may run before the rest of the page is there.
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", scan);
})();
