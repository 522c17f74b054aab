import { configurationMarkdown } from './configuration-markdown.js';

describe('docs/configuration.md', () => {
  it('has a row for each variable, and no secret or value of this machine', () => {
    const text = configurationMarkdown();
    expect(text).toContain(
      '| `PORT` | `3000` | a whole number from 0 to 65535; 0 takes any free port | Port of the HTTP server. |',
    );
    expect(text).toContain('| `PHOTOSAFE_DECODER_PROCESSES` | the number of processors |');
    expect(text).toContain('| `DATABASE_URL` | — |');
  });
});
