import { ThumbnailsService } from './thumbnails.service.js';

describe('the options of a job that makes thumbnails', () => {
  it('are as configured where it leaves them out or gives null', () => {
    const settings = { thumbnailSizes: [640, 160, 640], thumbnailQuality: 80 };
    const optionsOf = ThumbnailsService.prototype.optionsOf.bind({ settings });
    const configured = { sizes: [160, 640], quality: 80, force: false };
    expect(optionsOf({})).toEqual(configured);
    expect(optionsOf({ sizes: null, quality: null, force: null })).toEqual(configured);
    expect(optionsOf({ sizes: [320], quality: 1, force: true })).toEqual({ sizes: [320], quality: 1, force: true });
  });
});
