/** The same as `make`, which is called once for each key: for what takes far longer to make than to use. */
export function remember<Key extends readonly string[], Made>(
  make: (...key: Key) => Made,
): (...key: Key) => Made {
  const known = new Map<string, Made>();
  return (...key) => {
    const name = key.join('\n');
    const made = known.get(name) ?? make(...key);
    known.set(name, made);
    return made;
  };
}
