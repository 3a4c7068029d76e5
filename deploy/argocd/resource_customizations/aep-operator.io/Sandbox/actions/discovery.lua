-- What can be done with an object of aep-operator.io: pause it, let it go on, have it compared with Adobe now.
local suspended = obj.spec ~= nil and obj.spec.suspend == true

return {
  ["suspend"] = { ["disabled"] = suspended, ["displayName"] = "Suspend", ["iconClass"] = "fa fa-fw fa-pause" },
  ["resume"] = { ["disabled"] = not suspended, ["displayName"] = "Resume", ["iconClass"] = "fa fa-fw fa-play" },
  ["run-now"] = { ["disabled"] = suspended, ["displayName"] = "Compare with Adobe now", ["iconClass"] = "fa fa-fw fa-refresh" },
}
