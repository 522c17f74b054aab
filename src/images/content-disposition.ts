/** Pictures that a browser shows without running anything in them. SVG is not one of them. */
const SHOWN_INLINE = new Set([
  'image/jpeg',
  'image/png',
  'image/webp',
  'image/gif',
  'image/avif',
  'image/bmp',
  'image/jxl',
]);

/**
 * Content-Disposition for a file (RFC 6266): shown only when it is a harmless picture, else saved. The plain name is
 * for old clients and keeps to characters that need no quoting; the real one follows in UTF-8 (RFC 8187).
 */
export function contentDisposition(fileName: string, mimeType: string | undefined, download = false): string {
  const type = !download && mimeType !== undefined && SHOWN_INLINE.has(mimeType) ? 'inline' : 'attachment';
  const plain = fileName.replace(/[^\x20-\x7e]|["%\\/;]/g, '_');
  return `${type}; filename="${plain}"; filename*=UTF-8''${encoded(fileName)}`;
}

const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/['()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
