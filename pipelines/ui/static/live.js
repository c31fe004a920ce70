// Looks for news of this page and changes what has changed, in place: focus, scroll, selection and what is open stay.
"use strict";

(() => {
  const contact = document.getElementById("contact");
  let known = null;
  let lost = 0;

  function morph(old, fresh) {
    if (old.isEqualNode(fresh)) return;
    if (old.hasAttribute("data-keep")) return;
    morphAttributes(old, fresh);
    morphChildren(old, fresh);
  }

  function morphAttributes(old, fresh) {
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
    }
    for (const { name, value } of [...fresh.attributes]) {
      if (old.getAttribute(name) !== value && name !== "open") old.setAttribute(name, value);
    }
  }

  function morphChildren(old, fresh) {
    const keyed = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
    const wantedIds = new Set([...fresh.children].map((child) => child.id).filter(Boolean));
    let next = old.firstChild;
    for (const wanted of [...fresh.childNodes]) {
      const match = matching(next, wanted, keyed);
      if (match === null) {
        old.insertBefore(document.importNode(wanted, true), next);
        continue;
      }
      // An element that is moved loses its focus: rather take away what stands before it.
      while (next !== match && next !== null && !wantedIds.has(next.id)) next = removed(next);
      if (match === next) next = next.nextSibling;
      else old.insertBefore(match, next);
      if (match.nodeType === Node.ELEMENT_NODE) morph(match, wanted);
      else if (match.data !== wanted.data) match.data = wanted.data;
    }
    while (next !== null) next = removed(next);
  }

  function removed(node) {
    const rest = node.nextSibling;
    node.remove();
    return rest;
  }

  function matching(next, wanted, keyed) {
    if (wanted.id) {
      const found = keyed.get(wanted.id);
      return found && found.nodeName === wanted.nodeName ? found : null;
    }
    return next !== null && next.nodeName === wanted.nodeName && !next.id ? next : null;
  }

  function show(text) {
    if (text === known) return;
    known = text;
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const elsewhere = new Set([...document.querySelectorAll("[data-follow]")].filter((each) => !isAtEnd(each)));
    document.title = fresh.title;
    document.body.dataset.pause = fresh.body.dataset.pause;
    morph(document.getElementById("main"), fresh.getElementById("main"));
    follow(elsewhere);
  }

  // What grows is shown at its end, unless its reader has gone elsewhere in it.
  function follow(elsewhere) {
    for (const element of document.querySelectorAll("[data-follow]")) {
      if (!elsewhere.has(element)) element.scrollTop = element.scrollHeight;
    }
  }

  function isAtEnd(element) {
    return element.scrollTop + element.clientHeight >= element.scrollHeight - 4;
  }

  function isBusy() {
    // What somebody is selecting or typing into is not pulled away.
    const chosen = document.getSelection();
    return document.hidden || (chosen !== null && !chosen.isCollapsed);
  }

  async function look() {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
      const text = await answer.text();
      lost = 0;
      if (answer.ok) {
        show(text);
        say("");
      } else {
        const told = lead(new DOMParser().parseFromString(text, "text/html")) || `status ${answer.status}`;
        say(told === lead(document) ? "" : `This is how it was; now the answer is: ${told}`);
      }
    } catch {
      lost += 1;
      if (lost > 1) say("No answer: the command that shows this page has ended. This is the last that it said.");
    }
  }

  function lead(page) {
    return page.querySelector("main .lead")?.textContent;
  }

  function say(words) {
    if (contact.textContent !== words) contact.textContent = words;
  }

  async function watch() {
    for (;;) {
      await new Promise((resume) => setTimeout(resume, Number(document.body.dataset.pause) * (lost > 3 ? 4 : 1)));
      if (!isBusy()) await look();
    }
  }

  follow(new Set());
  watch();
})();
