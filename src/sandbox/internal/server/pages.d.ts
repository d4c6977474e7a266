/** The bundled script and style sheet of the pages, as text. */
declare module "#pages" {
  export const script: string
  export const style: string
}
