/** Where a runtime does not tell of connections that were not made, each is judged by its error alone. */

export const trackConnectFailures = (): void => {}

export const hasNeverConnected = (_error: object): boolean => false
