"use strict";
/* Asks for the changing part of the page every two seconds and puts what is new in its place. What has not changed
   stays the same element, so that focus, selection and scrolling stay as they are. */
const EVERY = 2000;
const PATIENCE = 15000;
const main = document.querySelector("main[data-live]");
let timer = 0;
let asking = false;

const banner = (wanted) => {
  for (const one of document.querySelectorAll("[data-banner]")) one.hidden = one.dataset.banner !== wanted;
};

const morph = (old, next) => {
  if (old.isEqualNode(next)) return;
  if (old.nodeName !== next.nodeName || old.id !== next.id) return old.replaceWith(next);
  if (old.nodeType !== Node.ELEMENT_NODE) return void (old.data = next.data);
  for (const { name } of [...old.attributes]) if (name !== "open" && !next.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of next.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  children(old, next);
};

const children = (old, next) => {
  const known = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
  const wanted = new Set([...next.children].map((child) => child.id));
  for (const [id, child] of known) if (!wanted.has(id)) child.remove();
  let at = old.firstChild;
  for (const child of [...next.childNodes]) {
    const same = child.id ? known.get(child.id) : at && !at.id ? at : null;
    if (!same) { old.insertBefore(child, at); continue; }
    if (same === at) at = at.nextSibling; else old.insertBefore(same, at);
    morph(same, child);
  }
  while (at) { const rest = at.nextSibling; at.remove(); at = rest; }
};

const ask = async () => {
  clearTimeout(timer);
  if (asking || document.hidden) return;
  asking = true;
  try {
    const signal = AbortSignal.timeout(PATIENCE);
    const headers = { "Rollcall-Fragment": "1" };
    const answer = await fetch(location.href, { headers, signal, redirect: "manual", cache: "no-store" });
    if (answer.status === 401) return banner("ended");
    if (answer.ok) {
      const focused = document.activeElement;
      children(main, new DOMParser().parseFromString(await answer.text(), "text/html").body);
      if (!focused.isConnected) main.focus({ preventScroll: true });
    }
    banner(answer.ok ? "" : "failing");
  } catch { banner("unreachable"); } finally { asking = false; }
  timer = setTimeout(ask, EVERY);
};

document.addEventListener("visibilitychange", ask);
if (main) timer = setTimeout(ask, EVERY);
