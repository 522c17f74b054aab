import { brightness, skyColours, type Drawing, type Frame } from './scene.js';
import { ellipse, gradient, polygon, rectangle, shaded, translucent, type Point, type Sized } from './svg.js';

/** A face of plain shapes: it looks like somebody and is nobody. */
export function portrait(frame: Frame): Drawing {
  const { width, height, random, light, moment } = frame;
  const colours = skyColours(frame);
  const glare = Math.max(0.75, brightness[light]);
  const skin = shaded(random.pick(['#f0c9a8', '#c68e63', '#8d5a3b', '#e3b08a', '#6b4430']), glare);
  const hair = random.pick(['#2a1c14', '#5a3a1f', '#c9a15a', '#8c8c90', '#1b1b20', '#9c3f1d']);
  const coat = random.pick(['#b0413e', '#2f5f8f', '#e0a526', '#3f7d58', '#6a4c93', '#d8d8d0']);
  const size = height * random.between(0.19, 0.25);
  const x = width * random.between(0.35, 0.65) + moment * size * 0.06;
  const y = height * random.between(0.38, 0.46) + Math.sin(moment * 2) * size * 0.03;
  const gaze = size * 0.05 * Math.sin(moment * 1.7 + random.between(-1, 1));
  const long = random.next() < 0.5;
  const eyes = [-1, 1].map((side) => {
    const eyeX = x + side * size * 0.34;
    const white = ellipse(
      [eyeX, y - size * 0.08, size * 0.13, moment % 3 === 2 ? size * 0.02 : size * 0.08],
      '#fbfaf6',
    );
    const brow = rectangle([eyeX - size * 0.16, y - size * 0.3, size * 0.32, size * 0.05], hair);
    return white + ellipse([eyeX + gaze, y - size * 0.08, size * 0.055, size * 0.06], '#2b2119') + brow;
  });
  const smile = size * random.between(0.1, 0.28);
  const mouth = `<path d="M${String(x - size * 0.26)} ${String(y + size * 0.42)} Q${String(x)} ${String(y + size * 0.42 + smile)} ${String(x + size * 0.26)} ${String(y + size * 0.42)}" stroke="#8a3b3b" stroke-width="${String(size * 0.06)}" fill="none"/>`;
  const shoulders: Point[] = [
    [x - size * 1.7, height],
    [x - size * 1.1, y + size * 1.35],
    [x + size * 1.1, y + size * 1.35],
    [x + size * 1.7, height],
  ];
  const bokeh = Array.from({ length: 26 }, () => {
    const radius = random.between(0.02, 0.11) * height;
    return ellipse(
      [random.between(0, width), random.between(0, height), radius, radius],
      translucent(random.pick([colours.top, colours.bottom, colours.haze, '#fff2d0']), 0.4),
    );
  });
  return {
    backdrop:
      gradient('wall', [
        [0, colours.middle],
        [1, shaded(colours.haze, 0.7)],
      ]) +
      rectangle([0, 0, width, height], 'url(#wall)') +
      bokeh.join(''),
    clouds: 0,
    foreground: [
      long ? ellipse([x, y + size * 0.3, size * 1.05, size * 1.45], hair) : '',
      polygon(shoulders, shaded(coat, glare)),
      rectangle([x - size * 0.3, y + size * 0.7, size * 0.6, size * 0.8], shaded(skin, 0.86)),
      ellipse([x, y - size * 0.25, size * 0.93, size * 0.98], hair),
      ellipse([x, y + size * 0.06, size * 0.8, size], skin),
      polygon(
        [
          [x, y],
          [x + size * 0.1, y + size * 0.24],
          [x - size * 0.06, y + size * 0.24],
        ],
        shaded(skin, 0.82),
      ),
      ...eyes,
      mouth,
    ].join(''),
  };
}

export function table(frame: Frame): Drawing {
  const { width, height, random } = frame;
  const wood = random.pick(['#8a5a34', '#b98556', '#5e4330', '#d9d4c8', '#47606b']);
  const planks = Array.from({ length: 9 }, (_, row) =>
    rectangle([0, (row / 9) * height, width, height / 9 - 3], shaded(wood, random.between(0.85, 1.1))),
  );
  const dishes = Array.from({ length: random.integer(3, 6) }, (_, place) => {
    const radius = height * random.between(0.11, 0.2);
    const x = width * (0.14 + 0.24 * (place % 4)) + random.between(-30, 30);
    const y = height * (place < 4 ? 0.32 : 0.76) + random.between(-60, 60);
    const food = Array.from({ length: random.integer(4, 14) }, () => {
      const [angle, away, part] = [
        random.between(0, 7),
        random.between(0, radius * 0.45),
        radius * random.between(0.08, 0.26),
      ];
      const colour = random.pick(['#c8452f', '#e9b44c', '#5b8c3a', '#f3e3bf', '#7b3f2a', '#e07a3f', '#9cbf5f']);
      return ellipse(
        [x + Math.cos(angle) * away, y + Math.sin(angle) * away, part, part * random.between(0.6, 1)],
        colour,
      );
    });
    const plate = random.pick(['#f6f4ee', '#dfe7ea', '#3a4a57', '#e8d9c0']);
    return (
      ellipse([x + 8, y + 12, radius, radius], translucent('#000000', 0.25)) +
      ellipse([x, y, radius, radius], plate) +
      ellipse([x, y, radius * 0.72, radius * 0.72], shaded(plate, 0.93)) +
      food.join('')
    );
  });
  return { backdrop: planks.join(''), clouds: 0, foreground: dishes.join('') };
}

export function flowers(frame: Frame): Drawing {
  const { width, height, random, light, moment } = frame;
  const colours = skyColours(frame);
  const glare = Math.max(0.6, brightness[light]);
  const leaf = shaded(random.pick(['#3f7a3a', '#5d8f3a', '#2f6a52']), glare);
  const petal = shaded(random.pick(['#e0527a', '#f2c230', '#f5f1ea', '#8a5ad0', '#e8672c', '#f3b6cc']), glare);
  const stalks = Array.from({ length: random.integer(16, 42) }, () => {
    const depth = random.next();
    const size = height * (0.03 + depth * 0.08);
    const sway = moment * random.between(-6, 10);
    const [x, y] = [random.between(0, width) + sway, height * (0.3 + depth * 0.55) + random.between(-40, 40)];
    const stem = `<path d="M${String(x)} ${String(y)} Q${String(x + 20)} ${String(y + size * 3)} ${String(x - sway)} ${String(height)}" stroke="${leaf}" stroke-width="${String(size * 0.16)}" fill="none"/>`;
    return {
      depth,
      shape: stem + blossom([x, y, size], random.integer(5, 9), shaded(petal, random.between(0.85, 1.15))),
    };
  });
  const meadow = gradient('meadow', [
    [0, shaded(leaf, 1.25)],
    [1, shaded(leaf, 0.55)],
  ]);
  return {
    backdrop: rectangle([0, 0, width, height], colours.middle),
    clouds: random.between(0.2, 0.6),
    foreground:
      meadow +
      rectangle([0, height * random.between(0.25, 0.5), width, height], 'url(#meadow)') +
      stalks
        .sort((a, b) => a.depth - b.depth)
        .map(({ shape }) => shape)
        .join(''),
  };
}

function blossom([x, y, size]: Sized, petals: number, colour: string): string {
  const leaves = Array.from({ length: petals }, (_, petal) => {
    const angle = (petal / petals) * 2 * Math.PI;
    return ellipse(
      [x + Math.cos(angle) * size * 0.6, y + Math.sin(angle) * size * 0.6, size * 0.42, size * 0.42],
      shaded(colour, petal % 2 ? 0.94 : 1),
    );
  });
  return leaves.join('') + ellipse([x, y, size * 0.36, size * 0.36], '#6b4a1c');
}
