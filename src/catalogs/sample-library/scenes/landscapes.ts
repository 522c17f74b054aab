import { brightness, skyColours, type Drawing, type Frame } from './scene.js';
import {
  below,
  ellipse,
  glow,
  gradient,
  mixed,
  polygon,
  rectangle,
  ridge,
  shaded,
  sky,
  translucent,
  type Sized,
} from './svg.js';

export function mountains(frame: Frame): Drawing {
  const { width, height, random, light } = frame;
  const colours = skyColours(frame);
  const rock = random.pick(['#4b5a6b', '#5a4f4a', '#3f5548', '#6a5d6e']);
  const ranges = random.integer(3, 5);
  const base = random.between(0.32, 0.42);
  const layers = Array.from({ length: ranges }, (_, layer) => {
    const nearness = (layer + 1) / ranges;
    const line = ridge(random, {
      width: width,
      y: height * (base + layer * 0.13),
      roughness: height * (0.24 - layer * 0.03),
    });
    const colour = shaded(mixed(colours.haze, rock, nearness), brightness[light]);
    const snow =
      layer === 0
        ? below(
            line.map(([x, y]) => [x, y - height * 0.018] as const),
            frame,
            translucent('#f2f5f8', 0.85),
          )
        : '';
    return snow + below(line, frame, colour);
  });
  const lake = random.next() < 0.5 ? lakeAt(frame, height * random.between(0.82, 0.9), colours.bottom) : '';
  return {
    backdrop: sky(frame, colours, 0.5) + sun(frame, 0.4),
    clouds: light === 'night' ? 0 : random.between(0.1, 0.55),
    foreground: layers.join('') + lake + birds(frame),
  };
}

export function sea(frame: Frame): Drawing {
  const { width, height, random, light, moment } = frame;
  const colours = skyColours(frame);
  const horizon = height * random.between(0.42, 0.58);
  const water = shaded(random.pick(['#1b6e8a', '#2a86a0', '#245a86', '#3c7f7b']), brightness[light]);
  const waves = Array.from({ length: 90 }, () => {
    const depth = random.next() ** 1.5;
    const y = horizon + depth * (height - horizon);
    const length = width * (0.02 + depth * 0.16);
    const x = random.between(-length, width) + moment * 6 * (1 + depth);
    const crest = random.next() < 0.5 ? colours.bottom : shaded(water, 0.75);
    return ellipse([x, y, length, 1 + depth * 7], translucent(crest, 0.12 + depth * 0.25));
  });
  const beach =
    random.next() < 0.6
      ? below(
          ridge(random, { width: width, y: height * 0.93, roughness: height * 0.05, steps: 16 }),
          frame,
          shaded('#dcc59a', brightness[light]),
        )
      : '';
  const boatX = width * random.between(0.2, 0.75) + moment * width * 0.012;
  return {
    backdrop: sky(frame, colours, horizon / height) + sun(frame, horizon / height - 0.08),
    clouds: random.between(0.05, 0.5),
    foreground:
      gradient('water', [
        [0, mixed(water, colours.bottom, 0.55)],
        [1, shaded(water, 0.7)],
      ]) +
      rectangle([0, horizon, width, height - horizon], 'url(#water)') +
      waves.join('') +
      boat(
        [boatX, horizon + height * 0.03, height * random.between(0.08, 0.14)],
        shaded('#e8e2d4', brightness[light]),
      ) +
      beach +
      birds(frame),
  };
}

export function dunes(frame: Frame): Drawing {
  const { width, height, random, light } = frame;
  const colours = skyColours(frame);
  const sand = random.pick(['#e0b070', '#d98f55', '#efe3cf', '#b98f6a', '#4d4a4c']);
  const rows = random.integer(3, 6);
  const layers = Array.from({ length: rows }, (_, row) => {
    const line = ridge(random, {
      width: width,
      y: height * (0.5 + row * (0.45 / rows)),
      roughness: height * (0.1 - row * 0.008),
      steps: 16,
    });
    const lit = shaded(mixed(colours.haze, sand, 0.4 + (0.6 * row) / rows), brightness[light]);
    const shade = line.map(([x, y]) => [x + width * 0.03, y + height * 0.03] as const);
    return below(line, frame, lit) + below(shade, frame, translucent(shaded(lit, 0.86), 0.7));
  });
  return {
    backdrop: sky(frame, colours, 0.55) + sun(frame, 0.25),
    clouds: random.between(0, 0.25),
    foreground: layers.join('') + birds(frame),
  };
}

function lakeAt(frame: Frame, y: number, colour: string): string {
  const { width, height, random } = frame;
  const glints = Array.from({ length: 25 }, () =>
    ellipse(
      [random.between(0, width), random.between(y, height), random.between(20, 120), 2],
      translucent('#ffffff', 0.25),
    ),
  );
  return rectangle([0, y, width, height - y], shaded(colour, brightness[frame.light] * 0.85)) + glints.join('');
}

/** The sun, or at night the moon. */
function sun({ width, height, random, light }: Frame, y: number): string {
  const radius = height * random.between(0.025, 0.05);
  const x = width * random.between(0.12, 0.88);
  const colour = light === 'night' ? '#e9edf5' : light === 'day' ? '#fffbe6' : '#ffd089';
  return glow([x, height * y], radius * 6, colour) + ellipse([x, height * y, radius, radius], colour);
}

function birds({ width, height, random, light, moment }: Frame): string {
  if (light === 'night' || random.next() < 0.4) return '';
  const flock = Array.from({ length: random.integer(3, 9) }, () => {
    const x = random.between(0.1, 0.9) * width + moment * random.between(8, 20);
    const y = random.between(0.08, 0.35) * height - moment * 4;
    const span = random.between(8, 20);
    return `<path d="M${String(x - span)} ${String(y - span / 3)} Q${String(x - span / 3)} ${String(y - span / 2)} ${String(x)} ${String(y)} Q${String(x + span / 3)} ${String(y - span / 2)} ${String(x + span)} ${String(y - span / 3)}" stroke="#22252b" stroke-width="3" fill="none"/>`;
  });
  return flock.join('');
}

function boat([x, y, size]: Sized, sail: string): string {
  const hull = [
    [x - size * 0.5, y],
    [x + size * 0.5, y],
    [x + size * 0.36, y + size * 0.18],
    [x - size * 0.36, y + size * 0.18],
  ] as const;
  const mainSail = [
    [x, y - size],
    [x, y - size * 0.06],
    [x + size * 0.42, y - size * 0.06],
  ] as const;
  const foreSail = [
    [x - size * 0.04, y - size * 0.85],
    [x - size * 0.04, y - size * 0.06],
    [x - size * 0.34, y - size * 0.06],
  ] as const;
  return polygon(hull, '#7a3b2e') + polygon(mainSail, sail) + polygon(foreSail, shaded(sail, 0.85));
}
