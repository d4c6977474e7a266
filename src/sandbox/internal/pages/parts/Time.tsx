import { formatTime } from "../times.js"

export const Time = ({ at }: { readonly at: string }) => <time dateTime={at}>{formatTime(at)}</time>
