/** Quotes an identifier, for statements that cannot have parameters. */
export const quoteIdentifier = (name: string): string => `"${name.replaceAll('"', '""')}"`
