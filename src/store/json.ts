/**
 * What may be stored: PostgreSQL takes no NUL in text and no half of a surrogate pair,
 * so both become U+FFFD, in strings and in the names of members.
 */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\u{FFFD}');
}

/** JSON text of a value, each string in it made {@link storable}. Takes plain JSON values; `undefined` members go. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_name, item: unknown) => {
    if (typeof item === 'string') return storable(item);
    if (typeof item === 'object' && item !== null && !Array.isArray(item)) {
      const names = Object.keys(item);
      if (names.some((name) => storable(name) !== name)) {
        return Object.fromEntries(Object.entries(item).map(([name, member]) => [storable(name), member]));
      }
    }
    return item;
  });
}
