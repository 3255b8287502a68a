const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Whether a text can be the id of a row: a UUID as we write them. What is none is not asked for: some engines refuse the question. */
export function isId(text: unknown): text is string {
  return typeof text === 'string' && UUID.test(text);
}
