// Scenario with the openapi-generator client go.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	rollbook "scenario/generated"
)

const (
	staleVersion   = "/problems/stale-version"
	invalidFields  = "/problems/invalid-fields"
	recordNotFound = "/problems/record-not-found"
	unauthorized   = "/problems/unauthorized"
)

type scenario struct {
	*rollbook.APIClient
	// Contains the token.
	ctx     context.Context
	tokens  *rollbook.Token
	student *rollbook.Student
	tag     string
	// Token of the changes before the creation.
	position string
}

func main() {
	configuration := rollbook.NewConfiguration()
	configuration.Servers = rollbook.ServerConfigurations{{URL: os.Getenv("ROLLBOOK_URL")}}
	s := scenario{APIClient: rollbook.NewAPIClient(configuration), ctx: context.Background()}

	step("log-in", s.logIn())
	step("pages", s.pages())
	step("export", s.export())
	step("create", s.create())
	step("read", s.read())
	step("stale", s.stale())
	step("null", s.null())
	step("422", s.invalidField())
	step("404", s.notFound(999_999))
	step("refresh", s.refresh())
	step("delete", s.deleteStudent())
	step("follow", s.follow())
	step("log-out", s.logOut())
	step("401", s.rejectedToken())
}

func (s *scenario) use(tokens *rollbook.Token) {
	s.tokens = tokens
	s.ctx = context.WithValue(context.Background(), rollbook.ContextAccessToken, tokens.Token)
}

func (s *scenario) logIn() error {
	credentials := rollbook.NewCredentials("shantanu", "password")
	tokens, _, err := s.SessionsAPI.LogIn(s.ctx).Credentials(*credentials).Execute()
	if err == nil {
		s.use(tokens)
	}
	return err
}

func (s *scenario) pages() error {
	var sizes []int
	ids := map[int64]bool{}
	request := s.StudentsAPI.ListStudents(s.ctx).Limit(10)
	for next := request; ; {
		page, _, err := next.Execute()
		if err != nil {
			return err
		}
		for _, student := range page.Students {
			ids[student.Id] = true
		}
		sizes = append(sizes, len(page.Students))
		after := page.Next.Get()
		if after == nil {
			break
		}
		next = request.After(*after)
	}
	return check(fmt.Sprint(sizes) == "[10 10 5]" && len(ids) == 25, "pages of %v, %d students", sizes, len(ids))
}

func (s *scenario) export() error {
	text, _, err := s.StudentsAPI.ExportStudentsAsCsv(s.ctx).Execute()
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(text), "\r\n")
	return check(len(lines) == 26 && strings.HasPrefix(text, "id,name,"), "%d lines after %s", len(lines), lines[0])
}

func (s *scenario) create() error {
	latest, _, err := s.StudentsAPI.GetLatestStudentChange(s.ctx).Execute()
	if err != nil {
		return err
	}
	s.position = latest.Token
	input := rollbook.NewStudentInput("Leela Menon", "leela.menon@example.org", 4711)
	input.SetAge(22)
	student, _, err := s.StudentsAPI.CreateStudent(s.ctx).StudentInput(*input).Execute()
	if err != nil {
		return err
	}
	s.student = student
	return check(student.RollNo == 4711 && student.GetAge() == 22, "the created student differs")
}

func (s *scenario) get(id int64) (*rollbook.Student, *http.Response, error) {
	return s.StudentsAPI.GetStudent(s.ctx, id).Execute()
}

func (s *scenario) read() error {
	student, response, err := s.get(s.student.Id)
	if err != nil {
		return err
	}
	s.tag = response.Header.Get("ETag")
	return check(student.Name == "Leela Menon", "the name differs")
}

func (s *scenario) patch(patch *rollbook.StudentPatch) rollbook.ApiUpdateStudentRequest {
	return s.StudentsAPI.UpdateStudent(s.ctx, s.student.Id).StudentPatch(*patch)
}

func (s *scenario) stale() error {
	patch := rollbook.NewStudentPatch()
	patch.SetEmail("leela@example.org")
	if _, _, err := s.patch(patch).IfMatch(s.tag).Execute(); err != nil {
		return err
	}
	patch.SetEmail("menon@example.org")
	_, _, err := s.patch(patch).IfMatch(s.tag).Execute()
	_, err = rejected(err, http.StatusPreconditionFailed, staleVersion)
	return err
}

func (s *scenario) null() error {
	patch := rollbook.NewStudentPatch()
	patch.SetAgeNil()
	patched, _, err := s.patch(patch).Execute()
	if err != nil {
		return err
	}
	now, _, err := s.get(s.student.Id)
	if err != nil {
		return err
	}
	if patched.Age.Get() != nil || now.Age.Get() != nil {
		return fmt.Errorf("the age is %d", now.GetAge())
	}
	return check(now.Email == "leela@example.org", "the email address is %s", now.Email)
}

func (s *scenario) invalidField() error {
	change := rollbook.NewPasswordChange("password", "shantanu's new password")
	_, err := s.SessionsAPI.ReplaceOwnPassword(s.ctx).PasswordChange(*change).Execute()
	problem, err := rejected(err, http.StatusUnprocessableEntity, invalidFields)
	if err != nil {
		return err
	}
	if len(problem.Errors) != 1 {
		return fmt.Errorf("%d fields have errors", len(problem.Errors))
	}
	fieldError := problem.Errors[0]
	if fieldError.GetPointer() != "/new_password" {
		return fmt.Errorf("the pointer is %q", fieldError.GetPointer())
	}
	return check(fieldError.Detail != "", "the field error has no detail")
}

func (s *scenario) notFound(id int64) error {
	_, _, err := s.get(id)
	_, err = rejected(err, http.StatusNotFound, recordNotFound)
	return err
}

func (s *scenario) refresh() error {
	before := s.tokens.RefreshToken
	request := rollbook.NewRefreshRequest(before)
	tokens, _, err := s.SessionsAPI.RefreshToken(s.ctx).RefreshRequest(*request).Execute()
	if err != nil {
		return err
	}
	s.use(tokens)
	me, _, err := s.SessionsAPI.GetMe(s.ctx).Execute()
	if err != nil {
		return err
	}
	if me.Username != "shantanu" {
		return fmt.Errorf("the logged-in user is %s", me.Username)
	}
	return check(tokens.RefreshToken != before, "the refresh token is the same")
}

func (s *scenario) deleteStudent() error {
	if _, err := s.StudentsAPI.DeleteStudent(s.ctx, s.student.Id).Execute(); err != nil {
		return err
	}
	return s.notFound(s.student.Id)
}

func (s *scenario) follow() error {
	var versions []int64
	for more := true; more; {
		part, _, err := s.StudentsAPI.ListStudentChanges(s.ctx).After(s.position).Limit(3).Wait(1).Execute()
		if err != nil {
			return err
		}
		for _, change := range part.Changes {
			if change.StudentId != s.student.Id || change.Student.Get() != nil {
				return fmt.Errorf("a change of student %d", change.StudentId)
			}
			versions = append(versions, change.Version)
		}
		more, s.position = part.HasMore, part.Next
	}
	return check(fmt.Sprint(versions) == "[1 2 3 4]", "the versions are %v", versions)
}

func (s *scenario) logOut() error {
	_, err := s.SessionsAPI.LogOut(s.ctx).Execute()
	return err
}

func (s *scenario) rejectedToken() error {
	_, _, err := s.SessionsAPI.GetMe(s.ctx).Execute()
	_, err = rejected(err, http.StatusUnauthorized, unauthorized)
	return err
}

// rejected converts the error of a rejected request to its problem, and checks status and type.
func rejected(err error, status int, kind string) (problem rollbook.Problem, failure error) {
	var response *rollbook.GenericOpenAPIError
	if !errors.As(err, &response) {
		return problem, fmt.Errorf("the server did not reject the request: %v", err)
	}
	problem, ok := response.Model().(rollbook.Problem)
	if !ok {
		return problem, fmt.Errorf("the body is not a problem: %w: %s", err, response.Body())
	}
	matches := problem.Type == kind && int(problem.Status) == status
	return problem, check(matches, "the problem is %s, %d", problem.Type, problem.Status)
}
