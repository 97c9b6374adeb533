package admin

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"daybook/access"
)

// Who may do what is said in two places: each operation says the role that it needs where it is
// registered, and changeable says it of the keys of a task's definition. The server starts with no operation
// that does not say it.
//
// A role below admin must not get at passwords, rows, or what decides who gets them: so it cannot have
// Daybook log in elsewhere with a password that it keeps (source), have more of a source told (objects,
// include_query, schema_changes), or let anybody in (groups, tokens).

// needs says of an operation which role it needs.
func (a *api) needs(op *huma.Operation, least access.Role) {
	if access.CheckRole(string(least)) != nil {
		a.faults = append(a.faults, fmt.Errorf("operation %s does not say which role it needs", op.OperationID))
	}
	a.least[op.Method+" "+op.Path] = least
	// OpenAPI 3.1 has the roles that are needed there, for other schemes than OAuth.
	op.Security = []map[string][]string{{tokenScheme: {string(least)}}}
	op.Description += fmt.Sprintf(" Needs the role %s.", least)
}

// permit refuses a token whose role does not cover what the request needs.
func (a *api) permit(r *http.Request, who access.Info) error {
	_, pattern := a.guarded.Handler(r)
	least := a.least[pattern]
	if who.Role.Covers(least) {
		return nil
	}
	return roleProblem(who, r.Method+" "+cut(r.URL.Path), least)
}

func roleProblem(who access.Info, what string, least access.Role) *Error {
	return problem(CodeRole, "the token %q has the role %s, and %s needs %s", who.Name, who.Role, what, least)
}

// changeable says which role may change which key of a task's definition; those of source
// are apart. What is not there is the admin's.
var changeable = map[string]access.Role{
	"name":           access.Admin,
	"source":         "", // by its keys
	"start":          access.Admin,
	"objects":        access.Admin, // what leaves the source
	"schema_changes": access.Admin, // of databases that are not tracked, too
	"include_query":  access.Admin, // statements may hold what is not in the rows

	"format":            access.Operator,
	"wire_compression":  access.Operator,
	"tombstones":        access.Operator,
	"partial_images":    access.Operator,
	"check_definitions": access.Operator,
	"auto_start":        access.Operator,
	"skip_checks":       access.Operator,
	"retention":         access.Admin, // what is dropped is gone

	// Who names the server, the account, or how it is checked, decides who gets the password.
	"source.address":                  access.Admin,
	"source.user":                     access.Admin,
	"source.password":                 access.Admin,
	"source.password_env":             access.Admin,
	"source.password_file":            access.Admin,
	"source.password_command":         access.Admin,
	"source.allow_cleartext_password": access.Admin,
	"source.server_public_key_file":   access.Admin,
	"source.tls":                      access.Admin,
	"source.server_id":                access.Admin, // another replica's is cut off
	"source.away":                     access.Operator,
}

// permitPatch refuses a patch of keys that the role may not change, whether it would change them or not.
func permitPatch(who access.Info, patch Patch) error {
	for _, key := range slices.Sorted(maps.Keys(patch)) {
		source, isObject := patch[key].(map[string]any)
		if key == "source" && isObject {
			for _, inner := range slices.Sorted(maps.Keys(source)) {
				if err := permitKey(who, key+"."+inner); err != nil {
					return err
				}
			}
			continue
		}
		if err := permitKey(who, key); err != nil {
			return err
		}
	}
	return nil
}

func permitKey(who access.Info, key string) error {
	least, known := changeable[key]
	if !known || least == "" {
		least = access.Admin
	}
	if who.Role.Covers(least) {
		return nil
	}
	if !known {
		key = "a key that is not known" // it may be a secret in the wrong place
	}
	return roleProblem(who, "to change "+key+" of a task", least)
}

type asking struct{}

// withToken returns a context of what the holder of a token asks for.
func withToken(ctx context.Context, who access.Info) context.Context {
	return context.WithValue(ctx, asking{}, who)
}

// tokenOf returns whose token it is; of a context without, one without a role.
func tokenOf(ctx context.Context) access.Info {
	who, _ := ctx.Value(asking{}).(access.Info)
	return who
}
