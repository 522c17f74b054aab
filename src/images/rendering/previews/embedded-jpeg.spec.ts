import { choosePreview } from './embedded-jpeg.js';

const preview = (width: number, height: number) => ({ offset: 0, length: 1, width, height });

describe('choosePreview', () => {
  const previews = [preview(4000, 6000), preview(160, 120), preview(1620, 1080), preview(640, 480)];

  it.each([
    [100, preview(160, 120)],
    [512, preview(640, 480)],
    [640, preview(640, 480)],
    [2000, preview(4000, 6000)],
    [8000, preview(4000, 6000)],
  ])('takes for %d pixels the smallest that has them, else the largest', (longestEdge, chosen) => {
    expect(choosePreview(previews, longestEdge)).toEqual(chosen);
  });

  it('takes none from nothing', () => {
    expect(choosePreview([], 512)).toBeUndefined();
  });
});
