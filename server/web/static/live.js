// Keeps the list of the day fresh; what somebody types and where the focus is stay as they are.
// Without a script the page is loaded anew each minute, or by hand.
"use strict";

const live = document.getElementById("live");
const every = 1000 * Number(live?.dataset.every ?? 0);
const plain = { createHTML: (text) => text };
// Only pages of this server are parsed here, and it writes every text as text.
const policy = window.trustedTypes?.createPolicy("live", plain) ?? plain;

const take = (text) => {
  const page = new DOMParser().parseFromString(policy.createHTML(text), "text/html");
  const fresh = page.getElementById("live");
  if (!fresh) return location.reload(); // signed out meanwhile
  if (fresh.innerHTML === live.innerHTML) return undefined;
  const focused = live.contains(document.activeElement) ? document.activeElement.id : "";
  live.replaceChildren(...document.adoptNode(fresh).childNodes);
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  return undefined;
};

const ask = async () => {
  if (!document.hidden && !live.querySelector("form[data-sent]")) {
    try {
      const address = new URL(location.href);
      address.searchParams.delete("said");
      address.searchParams.delete("number");
      const answer = await fetch(address.pathname.endsWith("/today") ? address : "/today", {
        headers: { "X-Unattended": "yes" },
      });
      if (answer.ok) take(await answer.text());
      document.body.classList.toggle("stale", !answer.ok);
    } catch {
      document.body.classList.add("stale");
    }
  }
  setTimeout(ask, every);
};

if (every) setTimeout(ask, every);
