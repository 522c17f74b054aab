/**
 * A JPEG with a comment segment (COM, ITU-T T.81 B.2.4.5) after its application segments: other bytes, and so another
 * checksum, for the same pixels, without encoding anything.
 */
export function withComment(jpeg: Buffer, comment: string): Buffer {
  const text = Buffer.from(comment, 'latin1');
  const header = Buffer.from([0xff, 0xfe, 0, 0]);
  header.writeUInt16BE(text.length + 2, 2);
  const at = endOfApplicationSegments(jpeg);
  return Buffer.concat([jpeg.subarray(0, at), header, text, jpeg.subarray(at)]);
}

/** A copy in which every occurrence of an ASCII text has become another one of the same length: offsets stay right. */
export function withTextReplaced(bytes: Buffer, from: string, to: string): Buffer {
  if (from.length !== to.length) throw new RangeError(`"${to}" is not as long as "${from}"`);
  const copy = Buffer.from(bytes);
  for (let at = copy.indexOf(from, 0, 'latin1'); at !== -1; at = copy.indexOf(from, at + to.length, 'latin1')) {
    copy.write(to, at, 'latin1');
  }
  return copy;
}

function endOfApplicationSegments(jpeg: Buffer): number {
  let at = 2; // after the start-of-image marker
  while (jpeg[at] === 0xff && ((jpeg[at + 1] ?? 0) & 0xf0) === 0xe0) at += 2 + jpeg.readUInt16BE(at + 2);
  return at;
}
