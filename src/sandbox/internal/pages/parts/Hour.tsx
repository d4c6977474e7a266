import { formatHour } from "../times.js"

/** The start of an hour. In a narrow column, the line breaks only between date and time. */
export const Hour = ({ at }: { readonly at: string }) => {
  const [date, time] = formatHour(at).split(" ")
  return (
    <time dateTime={at}>
      <span class="whole">{date}</span> <span class="whole">{time}</span>
    </time>
  )
}
