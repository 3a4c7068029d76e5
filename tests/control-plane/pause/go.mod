// What keeps the namespaces of a Pod alive, built by ../assets.
module aep-operator/pause

go 1.26.0
