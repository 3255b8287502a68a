/** Why a record of an archive cannot be taken; its message becomes the reason of the entry. Never leaves this folder. */
export class Rejection extends Error {}

/** A name from an archive as it may be shown in a reason: quoted, without control characters, shortened. */
export function quote(name: string, maxLength = 40): string {
  return JSON.stringify(name.length > maxLength ? `${name.slice(0, maxLength)}…` : name);
}
