// Package config is what an operator can set on a node. Config is the one truth: its fields, with
// their tags, are the keys of the YAML file, the flags of the command line, the environment's
// variables, the help and the reference table.
//
// A flag beats the environment, which beats the file, which beats the default. A setting
// viewer.max-behind is the flag --viewer.max-behind, the variable HEADWATER_VIEWER_MAX_BEHIND, and
// the key max-behind in the section viewer of the file.
package config
