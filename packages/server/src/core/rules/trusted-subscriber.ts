const PREFIX = /^trust\+/i

/** Whether it is told in the name of whoever made the subscription. (contract notifications.md 8) */
export function isTrusted(subscriber: string): boolean {
  return PREFIX.test(subscriber)
}

/** Where the request goes. */
export function withoutTrust(subscriber: string): string {
  return subscriber.replace(PREFIX, '')
}
