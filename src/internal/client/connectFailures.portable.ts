/** Replaces `connectFailures.node.ts` in runtimes that do not publish failed connection attempts. */

export const trackConnectFailures = (): void => {}

export const hasNeverConnected = (_error: object): boolean => false
