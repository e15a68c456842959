/** An instant of the service, as people here write it. */
export function timeText(at: string): string {
  return new Date(at).toLocaleString(undefined, { dateStyle: 'short', timeStyle: 'medium' })
}
