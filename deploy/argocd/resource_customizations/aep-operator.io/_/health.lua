-- Health of every kind of aep-operator.io. Their status follows kstatus: it speaks of the generation that it names, and
-- the conditions `Reconciling` and `Stalled` are there only while they are true. Whatever passes by itself is
-- Progressing, however bad it looks; Degraded means that a person has to change something.
local function health(status, message)
  return { status = status, message = message }
end

if obj.spec ~= nil and obj.spec.suspend == true then
  return health("Suspended", "spec.suspend is true")
end

local status = obj.status or {}
if status.observedGeneration == nil or status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "The operator has not seen this generation yet")
end

local conditions, ready = {}, { message = "The operator has not said anything yet" }
for _, condition in ipairs(status.conditions or {}) do
  if condition.status == "True" then
    conditions[condition.type] = condition
  end
  if condition.type == "Ready" then
    ready = condition
  end
end

-- The Sandbox is suspended, and this object with it.
if conditions.Suspended ~= nil then
  return health("Suspended", conditions.Suspended.message)
end
if conditions.Reconciling ~= nil then
  return health("Progressing", conditions.Reconciling.message)
end
if conditions.Stalled ~= nil then
  return health("Degraded", conditions.Stalled.message)
end
if conditions.Ready ~= nil then
  return health("Healthy", conditions.Ready.message)
end
return health("Progressing", ready.message)
