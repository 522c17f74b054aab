import { photosafe } from '../support/photosafe.js';

// By the build: only that has the descriptions and types that the compiler takes out of the DTO classes.
it('docs/ says what the code says (else: npm run snapshots, and commit what it writes)', async () => {
  const { code, stdout, stderr } = await photosafe(['snapshots', '--check', '--json']);
  expect({ changed: stdout && (JSON.parse(stdout) as { changed: string[] }).changed, code, stderr }).toEqual({
    changed: [],
    code: 0,
    stderr: '',
  });
});
