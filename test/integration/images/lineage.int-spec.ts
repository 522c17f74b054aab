import { LineageService } from '../../../src/tasks/index.js';
import { aPicture, Library } from './library.js';

/** Decoder processes take seconds to start where others are at work. */
jest.setTimeout(120_000);

let library: Library;
let lineage: LineageService;

beforeAll(async () => {
  library = await Library.open();
  lineage = library.app.get(LineageService);
});
afterAll(() => library.close());

describe('lineage', () => {
  it('tells of an image which task made each part of it, and from which content', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': await aPicture(1), 'b.jpg': 'no picture' });
    await catalog.analyze();
    await catalog.thumbnails();
    const [image, text] = await catalog.images();
    const artefacts = await lineage.ofSubject('image', image?.id ?? '');
    const common = { subject: { kind: 'image', id: image?.id }, inputChecksum: image?.checksum, taskKept: true };
    expect(artefacts).toMatchObject([
      { ...common, kind: 'metadata', part: '', taskType: 'analyze_batch', taskVersion: 1 },
      { ...common, kind: 'thumbnail', part: '256', taskType: 'thumbnails_batch', taskVersion: 1 },
      { ...common, kind: 'thumbnail', part: '512', link: `/api/images/${image?.id}/thumbnail/512` },
    ]);
    expect(await lineage.ofSubject('image', text?.id ?? '')).toMatchObject([
      { kind: 'metadata' },
      { kind: 'problem', part: 'analyze:not_an_image', inputChecksum: text?.checksum },
    ]);
    const maker = await library.tasks.get(artefacts[1]?.taskId ?? '');
    expect(maker).toMatchObject({ type: 'thumbnails_batch', status: 'completed' });
  });

  it('tells of a task what it and its batches made, page by page, and of a batch what it is a part of', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': await aPicture(2), 'b.jpg': await aPicture(3) });
    await catalog.analyze();
    await catalog.thumbnails();
    const [job] = await library.tasks.list({ types: ['thumbnails'] }, { limit: 1 });
    const all = await lineage.ofTask(job?.id ?? '', { limit: 10 });
    expect(all).toMatchObject({
      ancestors: [],
      children: [{ type: 'thumbnails_batch', version: 1, status: 'completed', count: 1 }],
      made: [{ kind: 'thumbnail', count: 4 }],
      next: undefined,
    });
    const ids = (await catalog.images()).map(({ id }) => id).sort();
    expect(all.artefacts.map(({ subject, part }) => `${subject.id} ${part}`)).toEqual(
      ids.flatMap((id) => [`${id} 256`, `${id} 512`]),
    );
    const first = await lineage.ofTask(job?.id ?? '', { limit: 3 });
    const second = await lineage.ofTask(job?.id ?? '', { limit: 3, after: first.next });
    expect([...first.artefacts, ...second.artefacts]).toEqual(all.artefacts);

    const batch = await lineage.ofTask(all.artefacts[0]?.taskId ?? '', { limit: 1 });
    expect(batch.ancestors).toEqual([{ id: job?.id, type: 'thumbnails', version: 1, status: 'completed' }]);
    expect(batch.history.map(({ reason }) => reason)).toEqual(['enqueued', 'claimed', 'completed']);
  });

  it('outlives the task that made a thing', async () => {
    const catalog = await library.catalogOf({ 'a.jpg': await aPicture(4) });
    await catalog.analyze();
    const [image] = await catalog.images();
    const [before] = await lineage.ofSubject('image', image?.id ?? '');
    await library.database.query('DELETE FROM finished_tasks WHERE id = $1', [before?.taskId]);
    expect(await lineage.ofSubject('image', image?.id ?? '')).toEqual([{ ...before, taskKept: false }]);
  });
});
