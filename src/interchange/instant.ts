const ISO_8601 = /^\d{4}-\d\d-(\d\d)T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/;

/** Whether the text is ISO 8601 with an offset and names a day and a time that exist. */
export function isInstant(text: string): boolean {
  const day = ISO_8601.exec(text)?.[1];
  if (day === undefined || Number.isNaN(Date.parse(text))) return false;
  // `Date.parse` takes the 30th of February for the 1st of March.
  return Number(day) <= 28 || new Date(`${text.slice(0, 10)}T00:00Z`).getUTCDate() === Number(day);
}
