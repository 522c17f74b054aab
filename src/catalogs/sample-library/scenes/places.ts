import { brightness, skyColours, type Drawing, type Frame } from './scene.js';
import { below, ellipse, glow, mixed, polygon, rectangle, ridge, shaded, sky, translucent, type Sized } from './svg.js';

export function city(frame: Frame): Drawing {
  const { width, height, random, light } = frame;
  const colours = skyColours(frame);
  const wall = random.pick(['#8a7f78', '#6f7b88', '#a08468', '#757068']);
  const rows = [0.35, 0.65, 1].map((nearness) =>
    blocks(frame, nearness, shaded(mixed(colours.haze, wall, nearness), brightness[light])),
  );
  const street =
    random.next() < 0.5
      ? river(frame, colours.bottom)
      : rectangle([0, height * 0.93, width, height * 0.07], shaded('#55534f', brightness[light]));
  return {
    backdrop: sky(frame, colours, 0.7),
    clouds: random.between(0, 0.45),
    foreground: rows.join('') + street,
  };
}

export function forest(frame: Frame): Drawing {
  const { width, height, random, light } = frame;
  const colours = skyColours(frame);
  const green = random.pick(['#2f5d3a', '#48702f', '#29594f', '#7a6a2c']);
  const conifers = random.next() < 0.5;
  const rows = Array.from({ length: 4 }, (_, row) => {
    const nearness = (row + 1) / 4;
    const ground = height * (0.5 + row * 0.13);
    const colour = shaded(mixed(colours.haze, green, nearness), brightness[light]);
    const trees = Array.from({ length: 26 - row * 5 }, () => {
      const size = height * (0.12 + nearness * 0.26) * random.between(0.7, 1.3);
      const x = random.between(-0.05, 1.05) * width;
      const leaf = shaded(colour, random.between(0.8, 1.15));
      return conifers ? conifer([x, ground, size], leaf) : broadleaf([x, ground, size], leaf);
    });
    return (
      below(
        ridge(random, { width: width, y: ground, roughness: height * 0.03, steps: 16 }),
        frame,
        shaded(colour, 0.9),
      ) + trees.join('')
    );
  });
  return {
    backdrop: sky(frame, colours, 0.5),
    clouds: random.between(0.1, 0.5),
    foreground: rows.join(''),
  };
}

/** Stars over a dark ridge; in the north with an aurora. Dark whatever the hour. */
export function night(frame: Frame): Drawing {
  const { width, height, random } = frame;
  const colours = skyColours({ ...frame, light: 'night' });
  const stars = Array.from({ length: 320 }, () => {
    const size = random.next() ** 4 * 2.6 + 0.5;
    return ellipse(
      [random.between(0, width), random.between(0, height * 0.8), size, size],
      translucent('#ffffff', random.between(0.3, 1)),
    );
  });
  const curtain = random.pick(['#3dffa2', '#66e0ff', '#c58bff']);
  const aurora = Array.from({ length: 40 }, (_, ray) => {
    const x = (ray / 40) * width + random.between(-15, 15);
    const top = height * (0.18 + 0.12 * Math.sin(ray / 5 + random.between(0, 0.4)));
    return rectangle([x, top, width * 0.03, height * random.between(0.15, 0.35)], translucent(curtain, 0.07));
  });
  const hills = [0.76, 0.86].map((y, row) =>
    below(
      ridge(random, { width: width, y: height * y, roughness: height * 0.09 }),
      frame,
      row === 0 ? '#0b1220' : '#04070d',
    ),
  );
  const fire =
    random.next() < 0.5 ? glow([width * random.between(0.2, 0.8), height * 0.9], height * 0.16, '#ff9d45') : '';
  return {
    backdrop: sky(frame, colours, 0.8) + stars.join(''),
    clouds: 0,
    foreground: aurora.join('') + hills.join('') + fire,
  };
}

function blocks(frame: Frame, nearness: number, colour: string): string {
  const { width, height, random, light } = frame;
  const litShare = { dawn: 0.2, day: 0.06, dusk: 0.45, night: 0.55 }[light];
  const parts: string[] = [];
  for (let x = -20; x < width;) {
    const wide = width * random.between(0.05, 0.11) * (0.6 + nearness * 0.6);
    const top = height * (0.82 - random.between(0.12, 0.55) * (1.15 - nearness * 0.45));
    parts.push(rectangle([x, top, wide, height - top], shaded(colour, random.between(0.8, 1.12))));
    const pane = Math.max(5, wide * 0.12);
    for (let y = top + pane; nearness > 0.5 && y < height * 0.92; y += pane * 2) {
      for (let column = x + pane; column < x + wide - pane; column += pane * 2) {
        const fill = random.next() < litShare ? '#ffd98a' : shaded(colour, 0.6);
        parts.push(rectangle([column, y, pane, pane * 1.2], fill));
      }
    }
    x += wide + random.between(0, width * 0.012);
  }
  return parts.join('');
}

function river({ width, height, random, light }: Frame, colour: string): string {
  const glints = Array.from({ length: 40 }, () =>
    rectangle(
      [random.between(0, width), random.between(height * 0.89, height), random.between(10, 70), 2],
      translucent('#ffe9b8', 0.4),
    ),
  );
  return rectangle([0, height * 0.88, width, height * 0.12], shaded(colour, brightness[light] * 0.6)) + glints.join('');
}

function conifer([x, ground, size]: Sized, colour: string): string {
  const tiers = [0, 1, 2].map((tier) => {
    const top = ground - size * (1 - tier * 0.25);
    const half = size * (0.12 + tier * 0.07);
    return polygon(
      [
        [x, top],
        [x + half, top + size * 0.42],
        [x - half, top + size * 0.42],
      ],
      shaded(colour, 1 - tier * 0.06),
    );
  });
  return (
    rectangle([x - size * 0.02, ground - size * 0.15, size * 0.04, size * 0.15], '#4a382a') + tiers.reverse().join('')
  );
}

function broadleaf([x, ground, size]: Sized, colour: string): string {
  const trunk = rectangle([x - size * 0.03, ground - size * 0.45, size * 0.06, size * 0.45], '#56402e');
  const crown = [
    [0, -0.72, 0.24],
    [-0.16, -0.58, 0.19],
    [0.16, -0.56, 0.2],
    [0.02, -0.5, 0.2],
  ] as const;
  return (
    trunk +
    crown
      .map(([dx, dy, r], part) =>
        ellipse([x + dx * size, ground + dy * size, r * size, r * size], shaded(colour, 0.85 + part * 0.07)),
      )
      .join('')
  );
}
