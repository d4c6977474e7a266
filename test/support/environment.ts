/** Removes the AWS configuration of the machine. */
for (const name of Object.keys(process.env)) {
  if (name.startsWith("AWS_")) delete process.env[name]
}
process.env.AWS_CONFIG_FILE = "/dev/null"
process.env.AWS_SHARED_CREDENTIALS_FILE = "/dev/null"
process.env.AWS_EC2_METADATA_DISABLED = "true"
