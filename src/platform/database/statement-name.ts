const names = new Map<string, string>();

/** One prepared statement a text and connection. Texts are constants, so their number is small. */
export function statementName(text: string): string {
  let name = names.get(text);
  if (name === undefined) {
    name = `photosafe_${String(names.size + 1)}`;
    names.set(text, name);
  }
  return name;
}
