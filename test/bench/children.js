// Processes beside this one, which do what they are told.
import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"

const children = []

/** What a child says next, unless it ends. */
const next = (child) =>
  new Promise((resolve, reject) => {
    const gone = (code, signal) => reject(new Error(`a process ended with ${code ?? signal}`))
    child.once("exit", gone)
    child.once("message", (message) => {
      child.off("exit", gone)
      resolve(message)
    })
  })

/** A child, its first word, and how it is told what to do. */
export const start = async (file, args = []) => {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args)
  children.push(child)
  const tell = (order, options) => {
    const answer = next(child)
    child.send({ order, ...options })
    return answer
  }
  return { pid: child.pid, said: await next(child), tell }
}

export const stopAll = () => {
  for (const child of children) child.kill()
}
