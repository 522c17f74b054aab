import { basename } from 'node:path/posix';
import sharp from 'sharp';
import type { SampleFile } from './sample-file.js';
import type { SampleShot } from './sample-plan.js';

/** What is made from a shot besides its own file. */
export interface SampleCopy extends SampleFile {
  readonly kind: 'resized' | 're-encoded' | 'exact-copy' | 'sidecar';
}

/** How many copies of each kind a library of so many pictures has. */
export function copyCounts(photos: number): { resized: number; reencoded: number; exact: number } {
  const share = (part: number): number => Math.max(2, Math.round(photos * part));
  return { resized: share(0.05), reencoded: share(0.05), exact: share(0.035) };
}

/** Copies of single shots from everywhere (nobody copies frames of bursts), and one sidecar. No shot has two. */
export function planCopies(shots: readonly SampleShot[], counts: ReturnType<typeof copyCounts>): SampleCopy[] {
  const singles = shots.filter((shot) => shots.every((other) => other === shot || other.seed !== shot.seed));
  const mixed = [0, 1, 2, 3, 4, 5, 6].flatMap((from) => singles.filter((_, place) => place % 7 === from));
  const take = (count: number): SampleShot[] => mixed.splice(0, count);
  return [
    ...take(counts.resized).map((shot, place) => {
      const name = `IMG-${day(shot)}-WA${String(place + 1).padStart(4, '0')}.jpg`;
      return copy('resized', `Sent to friends/${name}`, shot);
    }),
    ...take(counts.reencoded).map((shot) => {
      const name = basename(shot.path).replace(/\.jpe?g$/i, '-edited.jpg');
      return copy('re-encoded', `Edited/${name}`, shot);
    }),
    ...take(counts.exact).map((shot) => copy('exact-copy', `Backup of the phone/${basename(shot.path)}`, shot)),
    ...take(1).map((shot) => copy('sidecar', shot.path.replace(/\.\w+$/, '.xmp'), shot)),
  ];
}

export async function contentOf(copy: SampleCopy, shot: SampleShot, jpeg: Buffer): Promise<Buffer | string> {
  switch (copy.kind) {
    case 'resized': // as messengers send it: smaller, squeezed, and robbed of its metadata
      return sharp(jpeg).autoOrient().resize(800, 800, { fit: 'inside' }).jpeg({ quality: 72 }).toBuffer();
    case 're-encoded': // as an editor saves it: the same size, other bytes, metadata kept
      return sharp(jpeg)
        .keepMetadata()
        .withExifMerge({ IFD0: { Software: 'Darkroom 3.2' } })
        .jpeg({ quality: 64 })
        .toBuffer();
    case 'exact-copy':
      return jpeg;
    case 'sidecar':
      return sidecarOf(shot);
  }
}

/** What a person noted about a shot in another program. */
function sidecarOf(shot: SampleShot): string {
  return `<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:dc="http://purl.org/dc/elements/1.1/" xmp:Rating="5">
   <dc:description>
    <rdf:Alt><rdf:li xml:lang="x-default">The best of the day</rdf:li></rdf:Alt>
   </dc:description>
   <dc:subject><rdf:Bag><rdf:li>${shot.scene}</rdf:li><rdf:li>favourites</rdf:li></rdf:Bag></dc:subject>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
`;
}

function copy(kind: SampleCopy['kind'], path: string, shot: SampleShot): SampleCopy {
  return { kind, path, of: shot.path, modifiedMs: shot.localMs - shot.offsetMinutes * 60_000 };
}

function day(shot: SampleShot): string {
  return new Date(shot.localMs).toISOString().slice(0, 10).replaceAll('-', '');
}
