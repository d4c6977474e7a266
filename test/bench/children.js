// Child processes that follow orders.
import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"

const children = []

/** Waits for the next message of a child. */
const next = (child) =>
  new Promise((resolve, reject) => {
    const gone = (code, signal) => reject(new Error(`a process ended with ${code ?? signal}`))
    child.once("exit", gone)
    child.once("message", (message) => {
      child.off("exit", gone)
      resolve(message)
    })
  })

/** Starts a child; returns its first message and how to send it orders. */
export const start = async (file, args = []) => {
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args)
  children.push(child)
  const send = (order, options) => {
    const answer = next(child)
    child.send({ order, ...options })
    return answer
  }
  return { pid: child.pid, firstMessage: await next(child), send }
}

export const stopAll = () => {
  for (const child of children) child.kill()
}
