// Follows work that a worker does: asks a small address how far it is, moves the bar, says how fast it goes and when it
// will be through, and shows the whole page again once it is. Without this script the page stays as it was sent.
(() => {
  "use strict";

  const EVERY = 1500;
  const PATIENT = 6000;
  const MOST_SAMPLES = 20;

  const duration = (seconds) => {
    if (seconds < 1) return "a moment";
    if (seconds < 90) return `${Math.ceil(seconds)} s`;
    const minutes = Math.round(seconds / 60);
    return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  };

  const number = (value) => {
    const digits = value < 10 ? 1 : 0;
    return new Intl.NumberFormat(document.documentElement.lang || "en", { maximumFractionDigits: digits }).format(value);
  };

  const two = (value) => String(Math.floor(value)).padStart(2, "0");

  // The time of day at which it ends, in the zone of the page's other times: the answer says how late it is there.
  const pace = (samples, total, second) => {
    const first = samples[0];
    const last = samples[samples.length - 1];
    const seconds = (last.at - first.at) / 1000;
    if (seconds <= 0 || last.done <= first.done) return "";
    const rate = (last.done - first.done) / seconds;
    const told = rate >= 1 ? `${number(rate)} a second` : `${number(rate * 60)} a minute`;
    const left = (total - last.done) / rate;
    const end = (second + left) % 86400;
    return `${told} · about ${duration(left)} left, until ${two(end / 3600)}:${two((end % 3600) / 60)}`;
  };

  const put = (card, name, text) => {
    for (const place of card.querySelectorAll(`[data-q-live="${name}"]`)) {
      if (place.textContent !== text) place.textContent = text;
    }
  };

  const show = (card, found) => {
    const bar = card.querySelector("[role=progressbar]");
    bar.setAttribute("aria-valuenow", found.percent);
    bar.firstElementChild.style.width = `${found.percent}%`;
    bar.classList.toggle("q-run-waits", found.is_waiting);
    put(card, "percent", `${found.percent}%`);
    for (const [name, text] of Object.entries(found.texts)) put(card, name, text);
  };

  const follow = (card) => {
    const samples = [];
    let failures = 0;
    const ask = async () => {
      try {
        const answer = await fetch(card.dataset.qProgress, {
          headers: { Accept: "application/json" },
          credentials: "same-origin",
        });
        if (answer.redirected || !answer.ok) throw new Error(String(answer.status));
        const found = await answer.json();
        failures = 0;
        show(card, found);
        if (!found.is_running) {
          window.location.reload();
          return;
        }
        samples.push({ at: Date.now(), done: found.done });
        if (samples.length > MOST_SAMPLES) samples.shift();
        put(card, "pace", pace(samples, found.total, found.second) || found.texts.pace || "");
      } catch (error) {
        failures += 1;
        if (failures > 2) put(card, "pace", "The server does not answer; asking again.");
      }
      window.setTimeout(ask, failures || document.hidden ? PATIENT : EVERY);
    };
    window.setTimeout(ask, EVERY / 3);
  };

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-q-progress]").forEach(follow);
  });
})();
