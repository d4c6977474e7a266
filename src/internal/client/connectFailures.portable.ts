/** For runtimes that do not publish failed connection attempts. Only the error itself is classified. */

export const trackConnectFailures = (): void => {}

export const hasNeverConnected = (_error: object): boolean => false
