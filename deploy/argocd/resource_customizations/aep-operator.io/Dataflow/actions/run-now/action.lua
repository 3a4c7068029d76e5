-- The operator acts when this annotation changes, whatever it says.
local os = require("os")

if obj.metadata.annotations == nil then
  obj.metadata.annotations = {}
end
obj.metadata.annotations["aep-operator.io/requested-at"] = os.date("!%Y-%m-%dT%H:%M:%SZ")
return obj
