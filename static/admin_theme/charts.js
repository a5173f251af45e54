// Draws the charts of admin pages from what their canvases carry. Colours are read from the page, so that a chart is
// drawn anew when the page turns dark. Values come as text where they are decimals.
(() => {
  "use strict";

  const drawn = new Map();
  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const formats = (spec, isShort) => {
    const language = document.documentElement.lang || "en";
    const options = { maximumFractionDigits: isShort ? 1 : 2 };
    if (isShort) options.notation = "compact";
    if (spec.unit === "percent") options.style = "percent";
    if (spec.currency) {
      options.style = "currency";
      options.currency = spec.currency;
      if (isShort) {
        options.minimumFractionDigits = 0;
      } else {
        delete options.maximumFractionDigits;
      }
    }
    return new Intl.NumberFormat(language, options);
  };

  const paint = (tone) => style(`--q-chart-${tone}`) || style("--q-chart-accent");

  const dataset = (spec, series) => {
    const colour = paint(series.tone);
    const values = series.values.map((value) => (Array.isArray(value) ? value.map(Number) : Number(value)));
    if (spec.kind === "line" || spec.kind === "steps") {
      return {
        label: series.label,
        data: values,
        borderColor: colour,
        backgroundColor: colour.replace(")", " / .14)"),
        fill: spec.series.length === 1,
        tension: spec.kind === "steps" ? 0 : 0.3,
        stepped: spec.kind === "steps",
        borderWidth: 2,
        pointRadius: values.length > 1 ? 0 : 3,
        pointHoverRadius: 4,
        pointBackgroundColor: colour,
      };
    }
    return {
      label: series.label,
      data: values,
      backgroundColor: series.tones.length ? series.tones.map(paint) : colour,
      borderRadius: 4,
      maxBarThickness: 34,
      categoryPercentage: 0.62,
      barPercentage: 0.92,
      stack: spec.stacked ? "all" : undefined,
    };
  };

  // A bar that floats is a step from one value to another, and says by how much.
  const valueOf = (item) => (Array.isArray(item.raw) ? item.raw[1] - item.raw[0] : item.parsed.y);

  const floats = (spec) => spec.series.some((series) => series.values.some(Array.isArray));

  // Few labels are all shown, on two lines where they are long; of many, as many as there is room for.
  const FEW = 8;
  const labels = (spec) =>
    spec.labels.length > FEW
      ? spec.labels
      : spec.labels.map((label) => (label.length > 8 ? label.split(/ (?=[^ ]*$)/) : label));

  const draw = (canvas) => {
    const spec = JSON.parse(canvas.dataset.qChart);
    const exact = formats(spec, false);
    const short = formats(spec, true);
    const quiet = style("--q-quiet");
    drawn.get(canvas)?.destroy();
    drawn.set(
      canvas,
      new Chart(canvas, {
        type: spec.kind === "steps" ? "line" : spec.kind,
        data: { labels: labels(spec), datasets: spec.series.map((series) => dataset(spec, series)) },
        options: {
          responsive: true,
          maintainAspectRatio: false,
          animation: false,
          interaction: { mode: "index", intersect: false },
          font: { family: "Inter" },
          scales: {
            x: {
              stacked: spec.stacked,
              border: { color: style("--q-line") },
              grid: { display: false },
              ticks: {
                color: quiet,
                maxRotation: 0,
                autoSkip: !floats(spec) && spec.labels.length > FEW,
                autoSkipPadding: 12,
                font: { family: "Inter", size: 12 },
              },
            },
            y: {
              stacked: spec.stacked,
              beginAtZero: true,
              border: { display: false },
              grid: { color: style("--q-line") },
              ticks: {
                color: quiet,
                maxTicksLimit: 6,
                precision: spec.currency || spec.unit ? undefined : 0,
                callback: (value) => short.format(value),
                font: { family: "Inter", size: 12 },
              },
            },
          },
          plugins: {
            legend: {
              display: spec.series.length > 1,
              align: "end",
              labels: {
                color: style("--q-text"),
                usePointStyle: true,
                pointStyle: "circle",
                boxWidth: 7,
                boxHeight: 7,
                font: { family: "Inter", size: 12 },
              },
            },
            tooltip: {
              backgroundColor: style("--color-base-900"),
              borderColor: style("--color-base-700"),
              borderWidth: 1,
              padding: 10,
              usePointStyle: true,
              boxWidth: 7,
              boxHeight: 7,
              callbacks: {
                title: (items) => spec.labels[items[0].dataIndex],
                label: (item) => ` ${item.dataset.label}: ${exact.format(valueOf(item))}`,
              },
            },
          },
        },
      }),
    );
  };

  const drawAll = () => document.querySelectorAll("canvas[data-q-chart]").forEach(draw);

  document.addEventListener("q:charts", (event) => event.target.querySelectorAll("canvas[data-q-chart]").forEach(draw));

  window.addEventListener("load", () => {
    drawAll();
    new MutationObserver(drawAll).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });
  });
})();
