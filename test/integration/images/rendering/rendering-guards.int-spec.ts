import { execFileSync } from 'node:child_process';
import { mkdir, truncate } from 'node:fs/promises';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { sharedData } from '../../../support/shared-data.js';
import { waitFor } from '../../../support/wait-for.js';
import { aStudio, childProcesses, quarters } from './rendering-fixtures.js';

const MEGABYTE = 1024 * 1024;

describe('a renderer under attack', () => {
  const { render, save } = aStudio();
  const codes = async (...args: Parameters<typeof render>): Promise<string[]> =>
    (await render(...args)).problems.map(({ code }) => code);

  /** The most memory that any child holds while something goes on. */
  async function peakMemory<T>(work: Promise<T>): Promise<{ result: T; peakBytes: number }> {
    let peakBytes = 0;
    const timer = setInterval(() => {
      peakBytes = Math.max(peakBytes, ...childProcesses().map(({ rssBytes }) => rssBytes));
    }, 20);
    try {
      return { result: await work, peakBytes };
    } finally {
      clearInterval(timer);
    }
  }

  it.each([
    ['nothing', Buffer.alloc(0), 'empty_file'],
    ['a text', Buffer.from('What has a photo’s name is not always one.'), 'not_an_image'],
    [
      'a drawing that names a file',
      Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'),
      'unsupported_format',
    ],
    ['the start of a JPEG', Buffer.from('ffd8ffe000104a46494600', 'hex'), 'truncated'],
    ['a JPEG of zeros', Buffer.concat([Buffer.from('ffd8ffe0', 'hex'), Buffer.alloc(5_000)]), 'truncated'],
    ['the start of a PNG', Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex'), 'truncated'],
    ['a HEIC without a picture', Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic', 'latin1'), 'corrupt'],
  ])('tells what is wrong with %s', async (name, content, code) => {
    const outcome = await render(await save(`${name}.jpg`, content));

    expect(outcome.problems).toMatchObject([{ severity: 'error', code }]);
    expect([outcome.renditions, outcome.thumbhash]).toEqual([[], undefined]);
  });

  it('keeps what a lenient decoder makes of a cut picture, and records the loss', async () => {
    const photo = await quarters(1600, 1200).jpeg().toBuffer();
    const { renditions, problems } = await render(await save('cut.jpg', photo.subarray(0, photo.length / 2)));

    expect(problems).toMatchObject([{ severity: 'error', code: 'truncated' }]);
    expect(renditions).toHaveLength(2);
  });

  it('refuses pictures of too many pixels by their header, in no time and no memory', async () => {
    const { result, peakBytes } = await peakMemory(
      codes(await save('bomb.png', pngBomb(60_000, 60_000)), { format: 'png' }),
    );

    expect(result).toEqual(['too_many_pixels']);
    expect(peakBytes).toBeLessThan(200 * MEGABYTE);
  });

  it('decodes large pictures row by row', async () => {
    const { result, peakBytes } = await peakMemory(
      render(await save('huge.png', pngBomb(16_000, 16_000)), { format: 'png' }),
    );

    // The rows that the file claims to have end early.
    expect(result.problems.map(({ code }) => code)).not.toContain('decoder_crashed');
    expect(peakBytes).toBeLessThan(300 * MEGABYTE);
  });

  it('takes names for names, whatever an image library reads out of them', async () => {
    const path = await save('photo.jpg[page=7,access=random]', await quarters(300, 200).jpeg().toBuffer());

    expect(await codes(path)).toEqual([]);
  });

  it("throws the system's error when a file cannot be read, and tells what is no file", async () => {
    const folder = await save('pipe', Buffer.alloc(0)).then((path) => `${path}-folder`);
    await mkdir(folder);
    execFileSync('mkfifo', [`${folder}/pipe.jpg`]);

    await expect(render(`${folder}/none.jpg`)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await codes(folder)).toEqual(['unreadable']);
    expect(await codes(`${folder}/pipe.jpg`)).toEqual(['unreadable']);
  });

  it('reads large files, too', async () => {
    const path = await save(
      'large.tif',
      sharp({ create: { width: 3000, height: 2000, channels: 3, background: 'red' } }).tiff({ compression: 'none' }),
    );
    // A hole at the end takes no room on the disk and makes the file too large to be held in memory.
    await truncate(path, 300 * MEGABYTE);

    const { result, peakBytes } = await peakMemory(render(path, { format: 'tiff' }));

    expect(result).toMatchObject({ problems: [], width: 3000 });
    expect(peakBytes).toBeLessThan(300 * MEGABYTE);
  });

  describe('with a picture that takes long', () => {
    let slow: string;

    beforeAll(async () => {
      const picture = sharp({ create: { width: 12_000, height: 12_000, channels: 3, background: 'white' } });
      slow = await save('slow.png', picture.png({ compressionLevel: 1 }));
      // The processes are up.
      await Promise.all([1, 2].map(async () => render(await save('first.jpg', quarters(300, 200).jpeg()))));
    });

    it('gives up when the time is over, and goes on with the next', async () => {
      expect(await codes(slow, { format: 'png' }, { timeoutMs: 50 })).toEqual(['decode_timeout']);
      expect(await codes(await save('next.jpg', quarters(300, 200).jpeg()))).toEqual([]);
    });

    it('stops at once when told to, with the reason that it was given', async () => {
      const controller = new AbortController();
      const rendering = render(slow, { format: 'png' }, { signal: controller.signal });
      setTimeout(() => {
        controller.abort(new Error('cancelled'));
      }, 30);
      const from = performance.now();

      await expect(rendering).rejects.toThrow('cancelled');

      // A second, and some more for a busy machine.
      expect(performance.now() - from).toBeLessThan(3_000);
    });

    it('tries again when the process was killed, and tells of the crash when that goes on', async () => {
      if (process.platform !== 'linux') return;
      const killProcesses = (): void => {
        for (const { pid } of childProcesses()) process.kill(pid, 'SIGKILL');
      };

      const once = codes(slow, { format: 'png' });
      await waitFor('a process at work', () => childProcesses().length > 0);
      killProcesses();
      expect(await once).toEqual([]);

      const always = codes(slow, { format: 'png' });
      const killer = setInterval(killProcesses, 20);
      const outcome = await always.finally(() => {
        clearInterval(killer);
      });
      expect(outcome).toEqual(['decoder_crashed']);
    });
  });

  it('holds no more memory after 200 photos than after 40', async () => {
    const folder = sharedData('bursts', 'brighton-beach');
    const path = folder ? `${folder}/DJI_0024.JPG` : await save('photo.jpg', quarters(4000, 2250).jpeg());
    const memoryAfter = async (count: number): Promise<number> => {
      await Promise.all(Array.from({ length: count }, () => render(path)));
      return childProcesses().reduce((sum, { rssBytes }) => sum + rssBytes, 0);
    };

    const first = await memoryAfter(40);
    const last = await memoryAfter(160);

    expect((last - first) / MEGABYTE).toBeLessThan(40);
    expect(last / 2 / MEGABYTE).toBeLessThan(400);
  }, 240_000);
});

/** A PNG of that size as its header says, of very few bytes: one compressed run of zeros. */
function pngBomb(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(data.length, 0);
    frame.writeUInt32BE(crc32(body), 4);
    return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const pixels = deflateSync(Buffer.alloc(64 * MEGABYTE), { level: 9 });
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', header),
    chunk('IDAT', pixels),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function crc32(bytes: Buffer): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
