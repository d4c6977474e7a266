/** The pages, bundled to texts. */
declare module "#pages" {
  export const script: string
  export const style: string
}
