/** The pages as texts. */
export const script: string
export const style: string
