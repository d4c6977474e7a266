/** A form that adds a fault to the script or to the random faults. */
import { useState } from "preact/hooks"
import { type Faults, faultInfo, type Kind, type Replace } from "../faults.js"
import { operationNames } from "../operations.js"
import { Field } from "../parts/Field.js"

/** The values of the form's fields by name. */
type Values = Readonly<Record<string, string>>

export const AddFault = ({
  faults,
  replace
}: {
  readonly faults: Faults
  readonly replace: Replace
}) => {
  const [kind, setKind] = useState<Kind>("throttling")
  const [isRandom, setRandom] = useState(false)
  return (
    <section aria-labelledby="add">
      <h2 id="add">Add a fault</h2>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          const texts = Object.fromEntries(new FormData(event.currentTarget)) as Values
          replace(withFault(faults, faultOf(kind, texts), isRandom, texts), "The fault is added.")
        }}
      >
        <div class="row">
          <Field label="Fault">
            <select value={kind} onChange={(event) => setKind(event.currentTarget.value as Kind)}>
              {Object.entries(faultInfo).map(([name, { text }]) => (
                <option key={name} value={name}>
                  {text}
                </option>
              ))}
            </select>
          </Field>
          {faultInfo[kind].fields.map(({ example, isNumber, isRequired, label, name }) => (
            <Field
              key={`${kind} ${name}`}
              label={label}
              hint={`${isRequired ? "" : "Optional. "}Such as ${example}.`}
            >
              <input
                name={name}
                required={isRequired}
                {...(isNumber && { type: "number", min: 0, max: 1, step: "any" })}
              />
            </Field>
          ))}
          <Field label="Operation">
            <select name="operation">
              <option value="">any</option>
              {operationNames.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </Field>
        </div>
        <div class="row">
          <Field label="Calls">
            <select
              value={isRandom ? "random" : "script"}
              onChange={(event) => setRandom(event.currentTarget.value === "random")}
            >
              <option value="script">the next ones</option>
              <option value="random">at random</option>
            </select>
          </Field>
          {isRandom ? (
            <Field key="probability" label="Probability (%)">
              <input
                name="percent"
                type="number"
                min={0}
                max={100}
                step="any"
                required
                defaultValue="10"
              />
            </Field>
          ) : (
            <Field key="times" label="Number of calls">
              <input name="times" type="number" min={1} required defaultValue="1" />
            </Field>
          )}
        </div>
        <button type="submit">Add</button>
      </form>
    </section>
  )
}

/** Makes a fault of the fields that are filled in. The API validates them. */
const faultOf = (kind: Kind, texts: Values) => {
  const fields = faultInfo[kind].fields.flatMap(({ isNumber, name }) => {
    const text = texts[name] ?? ""
    return text === "" ? [] : [[name, isNumber ? Number(text) : text] as const]
  })
  const { operation = "" } = texts
  return {
    fault: kind,
    ...Object.fromEntries(fields),
    ...(operation !== "" && { operation })
  }
}

const withFault = (
  faults: Faults,
  fault: object,
  isRandom: boolean,
  { percent, times }: Values
): Faults => {
  const { chances = [], script = [] } = faults
  // the cast is safe, because the form has exactly the fields of the selected kind
  return (
    isRandom
      ? { ...faults, chances: [...chances, { ...fault, probability: Number(percent) / 100 }] }
      : { ...faults, script: [...script, { ...fault, times: Number(times) }] }
  ) as Faults
}
