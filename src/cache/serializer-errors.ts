/** A text that no serializer of this version wrote with the same classes: it is foreign, broken, or was made to do harm. */
export class ForeignEntryError extends Error {
  constructor() {
    super('The text is no entry that this cache has written; treat it as missing');
    this.name = new.target.name;
  }
}

/** A value that would not come back as it is. It tells where and what kind of thing is in the way, never its content. */
export class NotSerializableError extends TypeError {
  /** The names of the properties that lead there, `items.3.owner`; empty where it is the value itself. */
  readonly path: string;

  /** @param kind Such as `a function`. */
  constructor(path: readonly string[], kind: string) {
    super(`${path.length === 0 ? 'The value' : path.join('.')} is ${kind}, which a cache entry cannot hold`);
    this.name = new.target.name;
    this.path = path.join('.');
  }
}
