// Shows what the kiosk service says and reports presses; it decides nothing.
"use strict";

(() => {
  const body = document.body;
  const page = { step: body.dataset.step, screen: body.dataset.screen, language: body.dataset.language };
  const find = (id) => document.getElementById(id);
  const say = (element, text) => {
    if (element && element.textContent !== text) element.textContent = text;
  };
  const fill = (element, values) => {
    if (!element) return;
    say(element, element.dataset.sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]));
  };

  const post = (action, values = {}) =>
    fetch(`/press/${action}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ step: page.step, ...values }),
    }).catch(() => undefined);

  // One address shows every screen: a new screen is the same page asked for again.
  let leaving = false;
  const renew = () => {
    if (leaving) return;
    leaving = true;
    location.replace("/");
  };

  // The voice: one element, so that a newer sentence takes the place of the older one. Where it
  // speaks the live regions are off: a screen reader would say the same over it.

  const voice = find("voice");
  let spoken = "";
  const hush = () => voice?.pause();
  const speak = (state) => {
    body.dataset.sound = state.sound ? "on" : "off";
    if (!voice) return;
    find("sound").elements.to.value = state.sound ? "off" : "on";
    find("hint")?.setAttribute("aria-live", state.voice ? "off" : "assertive");
    find("rescue")?.setAttribute("aria-live", state.voice ? "off" : "polite");
    if (!state.sound) hush();
    if (!state.said) return;
    const what = `${state.said.number} ${state.said.file}`;
    if (what === spoken) return;
    spoken = what;
    if (!state.sound) return;
    voice.src = `/speech/${state.said.file}`;
    // Refused where nobody has touched the page yet; the sentence stands on the screen.
    voice.play().catch(() => undefined);
  };

  // Live parts

  const showHands = (fingers) => {
    for (const element of document.querySelectorAll("[data-finger]")) {
      const state = fingers.marks[element.dataset.finger] ?? "unplanned";
      if (element.dataset.state !== state) element.dataset.state = state;
    }
    // A hand of which nothing is wanted steps back.
    for (const hand of document.querySelectorAll(".hand")) {
      const wanted = hand.querySelector(".finger[data-state=wanted], .finger[data-state=again]");
      hand.classList.toggle("resting", fingers.wanted.length > 0 && !wanted);
    }
  };

  // The one instruction: words, drawing and voice change together.
  const instruct = ({ hint, drawing, share }) => {
    const text = hint[page.language];
    if (find("hint").textContent !== text) {
      hush();
      say(find("hint"), text);
      find("hint").classList.toggle("long", text.length > 64);
    }
    const wanted = `#d-${drawing ?? "look_here"}`;
    const use = find("drawing");
    if (use.getAttribute("href") !== wanted) use.setAttribute("href", wanted);
    document.querySelector(".ring").style.strokeDashoffset = String(100 - 100 * share);
    find("share").value = Math.round(100 * share);
  };

  const show = {
    portrait(state) {
      instruct(state.portrait);
      find("portrait").classList.toggle("good", state.portrait.good);
      find("portrait").classList.toggle("aided", state.portrait.help);
      find("rescue").hidden = !state.portrait.help;
    },
    liveness(state) {
      instruct(state.liveness);
      find("movement").hidden = !state.liveness.n;
      if (state.liveness.n) fill(find("movement"), { n: state.liveness.n, max: state.liveness.of });
    },
    fingers(state) {
      const fingers = state.fingers;
      say(find("hint"), fingers.text[page.language]);
      say(find("note"), fingers.note ? fingers.note[page.language] : "");
      find("note").classList.toggle("good", fingers.note_good);
      find("fingers").className = `fit fingers ${fingers.tone} ${fingers.phase} ${fingers.touch ?? ""}`;
      say(find("kind"), find("kind")?.dataset[fingers.kind]);
      find("progress").value = Math.round(100 * fingers.progress);
      fill(find("count"), { n: fingers.done, max: fingers.plan.length });
      fill(find("try"), { n: fingers.try, max: fingers.tries });
      find("try").hidden = fingers.wanted.length === 0 || fingers.control;
      showHands(fingers);
    },
    irises(state) {
      say(find("hint"), state.irises.hint[page.language]);
    },
    sealed(state) {
      const server = state.receipt.server;
      if (server) {
        find("server").hidden = false;
        say(find("server-number"), server);
        say(find("sending"), find("sending").dataset.received);
      }
      const paper = state.receipt.paper;
      find("paper").hidden = !paper;
      if (paper) say(find("paper"), paper[page.language]);
      if (state.wipe !== null) fill(find("wipe"), { n: state.wipe });
    },
  };

  show.enrol = show.fingers;

  const showDevice = (state) => {
    const panel = find("device");
    if (!panel) return;
    panel.hidden = !state.device;
    if (state.device) say(panel.querySelector(".lead"), state.device[page.language]);
  };

  const showIdle = (seconds) => {
    const dialog = find("idle");
    if (seconds === null) {
      if (dialog.open) dialog.close();
      return;
    }
    fill(find("idle-text"), { n: seconds });
    if (!dialog.open) {
      find("stop").close();
      dialog.showModal();
    }
  };

  const apply = (state) => {
    find("cut").hidden = true;
    if (state.step !== page.step || state.screen !== page.screen || state.language !== page.language) {
      renew();
      return;
    }
    showIdle(state.idle);
    showDevice(state);
    if (page.screen in show) show[page.screen](state);
    speak(state);
  };

  const listen = () => {
    const stream = new EventSource("/events");
    stream.onmessage = (event) => apply(JSON.parse(event.data));
    stream.onerror = () => {
      if (!leaving) find("cut").hidden = false;
    };
    addEventListener("pagehide", () => stream.close());
  };

  // Presses

  for (const opener of document.querySelectorAll("[data-opens]")) {
    opener.addEventListener("click", () => find(opener.dataset.opens).showModal());
  }
  find("extend")?.addEventListener("click", () => {
    find("idle").close();
    post("extend");
  });
  for (const form of document.querySelectorAll('form[method="post"]')) {
    form.addEventListener("submit", () => {
      for (const button of document.querySelectorAll("button")) button.classList.add("pressed");
    });
  }

  find("sound")?.addEventListener("submit", (event) => {
    // Without a new page: the live picture stays, and so does the leave to play.
    event.preventDefault();
    post("sound", { to: event.target.elements.to.value });
  });

  // A touch anywhere says that somebody is there.
  let touched = 0;
  const touch = () => {
    const now = performance.now();
    if (now - touched < 5000) return;
    touched = now;
    post("extend");
  };
  addEventListener("pointerdown", touch, { passive: true });
  addEventListener("keydown", touch, { passive: true });

  // Keys for the booking code

  const ticket = find("ticket");
  if (ticket) {
    const shaped = (text) => {
      const plain = text.toUpperCase().replace(/[^0-9A-Z*~$=]/g, "").slice(0, 13);
      return plain.replace(/(.{4})(?=.)/g, "$1-");
    };
    const write = (text) => {
      ticket.value = shaped(text);
      find("code-form").classList.toggle("whole", ticket.value.length === 16);
    };
    for (const key of document.querySelectorAll("[data-key]")) {
      key.addEventListener("click", () => write(ticket.value + key.dataset.key));
    }
    document.querySelector("[data-erase]").addEventListener("click", () => {
      write(ticket.value.replace(/-?.$/, ""));
    });
    ticket.addEventListener("input", () => write(ticket.value));
  }

  // Keys for an officer's name, PIN and reason: a kiosk has no others. They write where the
  // cursor was.

  const fields = ["officer", "pin", "reason-note"].map(find).filter(Boolean);
  if (fields.length) {
    let field = fields[0];
    for (const one of fields) one.addEventListener("focus", () => { field = one; });
    const put = (text) => {
      field.value = text;
      field.focus({ preventScroll: true });
    };
    for (const key of document.querySelectorAll("[data-key]")) {
      key.addEventListener("click", () => put(field.value + key.dataset.key));
    }
    document.querySelector("[data-erase]").addEventListener("click", () => put(field.value.slice(0, -1)));
  }

  // The signature

  const pad = find("pad");
  if (pad) {
    const pen = pad.getContext("2d");
    let last = null;
    let drawn = false;
    const clear = () => {
      pen.fillStyle = "#fff";
      pen.fillRect(0, 0, pad.width, pad.height);
      drawn = false;
      pad.parentElement.classList.remove("signed");
    };
    const point = (event) => {
      const box = pad.getBoundingClientRect();
      return {
        x: ((event.clientX - box.left) / box.width) * pad.width,
        y: ((event.clientY - box.top) / box.height) * pad.height,
      };
    };
    const draw = (event) => {
      if (!last) return;
      for (const one of event.getCoalescedEvents?.() ?? [event]) {
        const next = point(one);
        pen.beginPath();
        pen.moveTo(last.x, last.y);
        pen.lineTo(next.x, next.y);
        pen.stroke();
        last = next;
      }
      if (!drawn) {
        drawn = true;
        pad.parentElement.classList.add("signed");
      }
    };
    pen.lineWidth = 9;
    pen.lineCap = pen.lineJoin = "round";
    pen.strokeStyle = "#10222a";
    clear();
    pad.addEventListener("pointerdown", (event) => {
      pad.setPointerCapture(event.pointerId);
      last = point(event);
      draw(event);
    });
    pad.addEventListener("pointermove", draw);
    for (const end of ["pointerup", "pointercancel"]) {
      pad.addEventListener(end, () => { last = null; });
    }
    find("erase").addEventListener("click", clear);
    find("sign-form").addEventListener("submit", () => {
      find("signature").value = drawn ? pad.toDataURL("image/png") : "";
    });
  }

  // The sentence above the buttons says what is wrong; the reader begins there.
  (document.querySelector("[data-focus]") ?? find("main")).focus({ preventScroll: true });
  addEventListener("contextmenu", (event) => event.preventDefault());
  listen();
})();
