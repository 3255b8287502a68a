/** What people call an entity: `voice session` for VoiceSession. */
export function labelOf(className: string): string {
  return className.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase();
}
