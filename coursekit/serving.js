// The service that this page came from answers.
async function answerTo(file) {
  const response = await fetch("predict", { method: "POST", body: file }).catch(() => null);
  const said = await response?.json().catch(() => null);
  if (!said) throw new Error("The service does not answer. Is it still running?");
  if (said.error) throw new Error(said.error);
  return [[said.answer].flat(), Object.entries(said.probabilities ?? {})];
}
