import { formatHour } from "../times.js"

/** The start of an hour. A narrow column breaks it between date and time only. */
export const Hour = ({ at }: { readonly at: string }) => {
  const [date, time] = formatHour(at).split(" ")
  return (
    <time dateTime={at}>
      <span class="whole">{date}</span> <span class="whole">{time}</span>
    </time>
  )
}
